// Cuts a JSON text into its parts.

using System.Globalization;
using System.Text;

namespace R3E
{
    internal sealed class JsonScanner
    {
        private readonly string text;
        private int at;

        internal JsonScanner(string text)
        {
            this.text = text ?? throw new JsonException("there is no text");
        }

        /// <summary>Whether nothing but space is left.</summary>
        internal bool IsAtEnd => Peek() == '\0' && at >= text.Length;

        /// <summary>Passes over the character that was peeked at.</summary>
        internal void Skip()
        {
            at++;
        }

        internal string Number()
        {
            var start = at;
            if (at < text.Length && text[at] == '-')
            {
                at++;
            }
            var digits = Digits();
            var isSound = digits > 0 && (digits == 1 || text[at - digits] != '0');
            if (at < text.Length && text[at] == '.')
            {
                at++;
                isSound &= Digits() > 0;
            }
            if (at < text.Length && (text[at] | ' ') == 'e')
            {
                at++;
                if (at < text.Length && (text[at] == '+' || text[at] == '-'))
                {
                    at++;
                }
                isSound &= Digits() > 0;
            }
            if (!isSound)
            {
                throw Wrong("no JSON value");
            }
            return text.Substring(start, at - start);
        }

        private int Digits()
        {
            var start = at;
            while (at < text.Length && text[at] >= '0' && text[at] <= '9')
            {
                at++;
            }
            return at - start;
        }

        internal string Text()
        {
            at++;
            var plain = text.IndexOfAny(new[] { '"', '\\' }, at);
            if (plain >= 0 && text[plain] == '"')
            {
                var whole = text.Substring(at, plain - at);
                at = plain + 1;
                return Checked(whole);
            }
            var value = new StringBuilder();
            while (true)
            {
                if (at >= text.Length)
                {
                    throw Wrong("a text without an end");
                }
                var one = text[at++];
                if (one == '"')
                {
                    return value.ToString();
                }
                if (one < ' ')
                {
                    throw Wrong("a control character in a text");
                }
                value.Append(one == '\\' ? Escaped() : one);
            }
        }

        private string Checked(string value)
        {
            foreach (var one in value)
            {
                if (one < ' ')
                {
                    throw Wrong("a control character in a text");
                }
            }
            return value;
        }

        private char Escaped()
        {
            var kind = at < text.Length ? text[at++] : '\0';
            switch (kind)
            {
                case '"':
                case '\\':
                case '/':
                    return kind;
                case 'b':
                    return '\b';
                case 'f':
                    return '\f';
                case 'n':
                    return '\n';
                case 'r':
                    return '\r';
                case 't':
                    return '\t';
                case 'u':
                    if (at + 4 <= text.Length && ushort.TryParse(
                        text.Substring(at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
                    {
                        at += 4;
                        return (char)code;
                    }
                    break;
            }
            throw Wrong("no escape of JSON");
        }

        internal void Word(string word)
        {
            if (string.CompareOrdinal(text, at, word, 0, word.Length) != 0)
            {
                throw Wrong("no JSON value");
            }
            at += word.Length;
        }

        internal void Expect(char wanted)
        {
            if (Peek() != wanted)
            {
                throw Wrong("no '" + wanted + "' where there must be one");
            }
            at++;
        }

        /// <summary>The next character that is no space; NUL at the end.</summary>
        internal char Peek()
        {
            while (at < text.Length && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t'))
            {
                at++;
            }
            return at < text.Length ? text[at] : '\0';
        }

        internal JsonException Wrong(string what)
        {
            return new JsonException("JSON, character " + at + ": " + what);
        }
    }
}
