// JSON, to and from values. The writer is here, the reader in JsonReader.cs.

using System;
using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;

namespace R3E
{
    /// <summary>A text that is not the JSON that was wanted, or a value that has no JSON form.</summary>
    public sealed class JsonException : Exception
    {
        public JsonException(string message) : base(message)
        {
        }
    }

    /// <summary>JSON (RFC 8259).</summary>
    public static class Json
    {
        /// <summary>Arrays and objects in each other; what the appliance takes.</summary>
        internal const int MaxDepth = 128;

        /// <summary>The value of a text, as a type.</summary>
        public static T Read<T>(string text)
        {
            return (T)Read(text, typeof(T));
        }

        /// <summary>The value of a text, as a type.</summary>
        public static object Read(string text, Type type)
        {
            return new JsonReader(text).Whole(type);
        }

        /// <summary>The text of a value.</summary>
        public static string Write(object value)
        {
            var text = new StringBuilder();
            Write(text, value, 0);
            return text.ToString();
        }

        private static void Write(StringBuilder text, object value, int depth)
        {
            if (depth > MaxDepth)
            {
                throw new JsonException("the value is nested deeper than " + MaxDepth + ", or holds itself");
            }
            if (value == null)
            {
                text.Append("null");
            }
            else if (value is bool)
            {
                text.Append((bool)value ? "true" : "false");
            }
            else if (value is double || value is float)
            {
                WriteFinite(text, Convert.ToDouble(value), ((IFormattable)value).ToString("R", CultureInfo.InvariantCulture));
            }
            else if (AsText(value) is string written)
            {
                WriteText(text, written);
            }
            else if (value is decimal || value.GetType().IsPrimitive && !(value is IntPtr || value is UIntPtr))
            {
                text.Append(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture));
            }
            else if (value is IDictionary)
            {
                WriteDictionary(text, (IDictionary)value, depth);
            }
            else if (value is IEnumerable)
            {
                WriteSequence(text, (IEnumerable)value, depth);
            }
            else if (value is Delegate || value is Type || value is IntPtr || value is UIntPtr)
            {
                throw new JsonException("a " + value.GetType().FullName + " has no JSON form");
            }
            else
            {
                WriteMembers(text, value, depth);
            }
        }

        /// <summary>What is written as a text; null for what is not.</summary>
        private static string AsText(object value)
        {
            if (value is string || value is char || value is Enum || value is Guid)
            {
                return value.ToString();
            }
            if (value is DateTime || value is DateTimeOffset)
            {
                return ((IFormattable)value).ToString("o", CultureInfo.InvariantCulture);
            }
            return value is byte[] ? Convert.ToBase64String((byte[])value) : null;
        }

        private static void WriteFinite(StringBuilder text, double value, string written)
        {
            if (double.IsNaN(value) || double.IsInfinity(value))
            {
                throw new JsonException(written + " has no JSON form");
            }
            text.Append(written);
        }

        private static void WriteDictionary(StringBuilder text, IDictionary values, int depth)
        {
            text.Append('{');
            var first = true;
            foreach (DictionaryEntry entry in values)
            {
                Name(text, Convert.ToString(entry.Key, CultureInfo.InvariantCulture), ref first);
                Write(text, entry.Value, depth + 1);
            }
            text.Append('}');
        }

        private static void WriteSequence(StringBuilder text, IEnumerable values, int depth)
        {
            text.Append('[');
            var first = true;
            foreach (var one in values)
            {
                if (!first)
                {
                    text.Append(',');
                }
                first = false;
                Write(text, one, depth + 1);
            }
            text.Append(']');
        }

        private static void WriteMembers(StringBuilder text, object value, int depth)
        {
            text.Append('{');
            var first = true;
            foreach (var property in value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
            {
                if (property.CanRead && property.GetGetMethod() != null && property.GetIndexParameters().Length == 0)
                {
                    Name(text, property.Name, ref first);
                    Write(text, Value(property, value), depth + 1);
                }
            }
            foreach (var field in value.GetType().GetFields(BindingFlags.Public | BindingFlags.Instance))
            {
                Name(text, field.Name, ref first);
                Write(text, field.GetValue(value), depth + 1);
            }
            text.Append('}');
        }

        private static object Value(PropertyInfo property, object of)
        {
            try
            {
                return property.GetValue(of, null);
            }
            catch (TargetInvocationException error) when (error.InnerException != null)
            {
                throw new JsonException(property.Name + ": " + error.InnerException.Message);
            }
        }

        private static void Name(StringBuilder text, string name, ref bool first)
        {
            if (!first)
            {
                text.Append(',');
            }
            first = false;
            WriteText(text, name);
            text.Append(':');
        }

        private static void WriteText(StringBuilder text, string value)
        {
            text.Append('"');
            for (var i = 0; i < value.Length; i++)
            {
                var one = value[i];
                switch (one)
                {
                    case '"':
                        text.Append("\\\"");
                        break;
                    case '\\':
                        text.Append("\\\\");
                        break;
                    case '\n':
                        text.Append("\\n");
                        break;
                    case '\r':
                        text.Append("\\r");
                        break;
                    case '\t':
                        text.Append("\\t");
                        break;
                    default:
                        // Half of a pair has no form in UTF-8, but one in JSON.
                        var paired = char.IsSurrogate(one)
                            && (char.IsSurrogatePair(value, i - (char.IsLowSurrogate(one) && i > 0 ? 1 : 0)));
                        if (one < ' ' || (char.IsSurrogate(one) && !paired))
                        {
                            text.Append("\\u").Append(((int)one).ToString("x4", CultureInfo.InvariantCulture));
                        }
                        else
                        {
                            text.Append(one);
                        }
                        break;
                }
            }
            text.Append('"');
        }
    }
}
