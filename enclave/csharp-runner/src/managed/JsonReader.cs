// Reads one JSON text as a value of a type.

using System;
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using System.Reflection;

namespace R3E
{
    internal sealed class JsonReader
    {
        private readonly JsonScanner scanner;
        private int depth;

        internal JsonReader(string text)
        {
            scanner = new JsonScanner(text);
        }

        /// <summary>The one value that the text is.</summary>
        internal object Whole(Type type)
        {
            var value = Value(type);
            if (!scanner.IsAtEnd)
            {
                throw scanner.Wrong("text after the value");
            }
            return value;
        }

        private object Value(Type type)
        {
            if (scanner.Peek() != 'n')
            {
                type = Nullable.GetUnderlyingType(type) ?? type;
            }
            switch (scanner.Peek())
            {
                case '{':
                    return Nested(type, true);
                case '[':
                    return Nested(type, false);
                case '"':
                    return OfText(type, scanner.Text());
                case 't':
                    return OfBoolean(type, true, "true");
                case 'f':
                    return OfBoolean(type, false, "false");
                case 'n':
                    scanner.Word("null");
                    if (type.IsValueType && Nullable.GetUnderlyingType(type) == null)
                    {
                        throw scanner.Wrong("null, where a " + type.Name + " is wanted");
                    }
                    return null;
                default:
                    return OfNumber(type, scanner.Number());
            }
        }

        private object Nested(Type type, bool isObject)
        {
            depth++;
            if (depth > Json.MaxDepth)
            {
                throw scanner.Wrong("nested deeper than " + Json.MaxDepth);
            }
            var value = isObject ? Object(type) : Array(type);
            depth--;
            return value;
        }

        private object Object(Type type)
        {
            scanner.Skip();
            var values = DictionaryOf(type, out var element);
            var made = values ?? Made(type);
            if (scanner.Peek() == '}')
            {
                scanner.Skip();
                return made;
            }
            while (true)
            {
                if (scanner.Peek() != '"')
                {
                    throw scanner.Wrong("no name of a member");
                }
                var name = scanner.Text();
                scanner.Expect(':');
                if (values != null)
                {
                    values[name] = Value(element);
                }
                else
                {
                    Member(made, type, name);
                }
                if (scanner.Peek() == '}')
                {
                    scanner.Skip();
                    return made;
                }
                scanner.Expect(',');
            }
        }

        /// <summary>Sets the member of that name, whatever its case; a name that the type has not is passed over.</summary>
        private void Member(object of, Type type, string name)
        {
            const BindingFlags Flags = BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase;
            foreach (var property in type.GetMember(name, MemberTypes.Property, Flags))
            {
                var one = (PropertyInfo)property;
                if (one.GetSetMethod() != null && one.GetIndexParameters().Length == 0)
                {
                    one.SetValue(of, Value(one.PropertyType), null);
                    return;
                }
            }
            foreach (var field in type.GetMember(name, MemberTypes.Field, Flags))
            {
                if (!((FieldInfo)field).IsInitOnly)
                {
                    ((FieldInfo)field).SetValue(of, Value(((FieldInfo)field).FieldType));
                    return;
                }
            }
            Value(typeof(object));
        }

        private object Array(Type type)
        {
            scanner.Skip();
            var element = ElementOf(type);
            var values = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(element));
            if (scanner.Peek() == ']')
            {
                scanner.Skip();
            }
            else
            {
                while (true)
                {
                    values.Add(Value(element));
                    if (scanner.Peek() == ']')
                    {
                        scanner.Skip();
                        break;
                    }
                    scanner.Expect(',');
                }
            }
            if (!type.IsArray)
            {
                return values;
            }
            var array = System.Array.CreateInstance(element, values.Count);
            values.CopyTo(array, 0);
            return array;
        }

        private Type ElementOf(Type type)
        {
            if (type == typeof(object) || type == typeof(IEnumerable) || type == typeof(IList))
            {
                return typeof(object);
            }
            if (type.IsArray && type.GetArrayRank() == 1)
            {
                return type.GetElementType();
            }
            if (type.IsGenericType && type.GetGenericArguments().Length == 1)
            {
                var element = type.GetGenericArguments()[0];
                if (type.IsAssignableFrom(typeof(List<>).MakeGenericType(element)))
                {
                    return element;
                }
            }
            throw scanner.Wrong("an array, where a " + type.Name + " is wanted");
        }

        private static IDictionary DictionaryOf(Type type, out Type element)
        {
            element = typeof(object);
            if (type == typeof(object) || type == typeof(IDictionary))
            {
                return new Dictionary<string, object>();
            }
            if (type.IsGenericType && type.GetGenericArguments().Length == 2 && type.GetGenericArguments()[0] == typeof(string))
            {
                element = type.GetGenericArguments()[1];
                var dictionary = typeof(Dictionary<,>).MakeGenericType(typeof(string), element);
                if (type.IsAssignableFrom(dictionary))
                {
                    return (IDictionary)Activator.CreateInstance(dictionary);
                }
            }
            return null;
        }

        private object Made(Type type)
        {
            if (type.IsPrimitive || type == typeof(string) || type == typeof(decimal) || type.IsArray || type.IsAbstract
                || (!type.IsValueType && type.GetConstructor(Type.EmptyTypes) == null))
            {
                throw scanner.Wrong("an object, where a " + type.Name + " is wanted");
            }
            return Activator.CreateInstance(type);
        }

        private object OfText(Type type, string value)
        {
            try
            {
                if (type == typeof(string) || type == typeof(object))
                {
                    return value;
                }
                if (type == typeof(char) && value.Length == 1)
                {
                    return value[0];
                }
                if (type.IsEnum)
                {
                    return Enum.Parse(type, value, true);
                }
                if (type == typeof(Guid))
                {
                    return Guid.Parse(value);
                }
                if (type == typeof(DateTime))
                {
                    return DateTime.Parse(value, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
                }
                if (type == typeof(DateTimeOffset))
                {
                    return DateTimeOffset.Parse(value, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind);
                }
                if (type == typeof(byte[]))
                {
                    return Convert.FromBase64String(value);
                }
            }
            catch (Exception error) when (error is FormatException || error is ArgumentException || error is OverflowException)
            {
                throw scanner.Wrong("no " + type.Name + ": " + error.Message);
            }
            throw scanner.Wrong("a text, where a " + type.Name + " is wanted");
        }

        private object OfBoolean(Type type, bool value, string word)
        {
            scanner.Word(word);
            if (type != typeof(bool) && type != typeof(object))
            {
                throw scanner.Wrong("a boolean, where a " + type.Name + " is wanted");
            }
            return value;
        }

        private object OfNumber(Type type, string number)
        {
            const NumberStyles Styles = NumberStyles.Float;
            var culture = CultureInfo.InvariantCulture;
            try
            {
                if (type == typeof(object))
                {
                    if (long.TryParse(number, NumberStyles.AllowLeadingSign, culture, out var whole))
                    {
                        return whole;
                    }
                    var isPlain = number.IndexOfAny(new[] { 'e', 'E' }) < 0;
                    return isPlain && decimal.TryParse(number, Styles, culture, out var exact) ? (object)exact : Finite(number);
                }
                if (type.IsEnum)
                {
                    return Enum.ToObject(type, long.Parse(number, NumberStyles.AllowLeadingSign, culture));
                }
                switch (Type.GetTypeCode(type))
                {
                    case TypeCode.Double:
                        return Finite(number);
                    case TypeCode.Single:
                        return (float)Finite(number);
                    case TypeCode.Decimal:
                        return decimal.Parse(number, Styles, culture);
                    case TypeCode.SByte:
                    case TypeCode.Byte:
                    case TypeCode.Int16:
                    case TypeCode.UInt16:
                    case TypeCode.Int32:
                    case TypeCode.UInt32:
                    case TypeCode.Int64:
                    case TypeCode.UInt64:
                        var exactly = decimal.Parse(number, Styles, culture);
                        if (decimal.Truncate(exactly) != exactly)
                        {
                            break;
                        }
                        return Convert.ChangeType(exactly, type, culture);
                }
            }
            catch (Exception error) when (error is FormatException || error is OverflowException)
            {
                throw scanner.Wrong(number + " is no " + type.Name);
            }
            throw scanner.Wrong("the number " + number + ", where a " + type.Name + " is wanted");
        }

        private double Finite(string number)
        {
            var value = double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture);
            if (double.IsInfinity(value))
            {
                throw new OverflowException();
            }
            return value;
        }
    }
}
