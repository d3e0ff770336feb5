// The one way out of the runtime: a text with a number that says what it is.

using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.CompilerServices;
using System.Text;

namespace R3E
{
    internal static class Host
    {
        // The numbers are those of `desk.rs`.
        internal const int LogDebug = 0, LogInfo = 1, LogWarn = 2, LogError = 3;
        private const int NextEvent = 4, HostCall = 5, Done = 6, Failed = 7, Broken = 8;

        /// <summary>A line longer than this is cut where it is read.</summary>
        internal const int LineChars = 8193;

        [MethodImpl(MethodImplOptions.InternalCall)]
        private static extern string Ask(int kind, string text);

        /// <summary>Waits for an event.</summary>
        internal static string Next() => Ask(NextEvent, null);

        internal static void Say(int level, string text)
        {
            foreach (var line in (text ?? "").Split('\n'))
            {
                Ask(level, line.Length > LineChars ? line.Substring(0, LineChars) : line);
            }
        }

        internal static void Succeed(string result) => Ask(Done, result);

        internal static void Fail(string fault) => Ask(Failed, fault);

        /// <summary>The same, of what the process does not outlive.</summary>
        internal static void Break(string fault) => Ask(Broken, fault);

        /// <summary>Makes a host call: its operation, then names and values.</summary>
        internal static Dictionary<string, object> Call(string operation, params object[] arguments)
        {
            var request = new Dictionary<string, object> { ["op"] = operation };
            for (var i = 0; i < arguments.Length; i += 2)
            {
                request[(string)arguments[i]] = arguments[i + 1];
            }
            var text = Ask(HostCall, Json.Write(request));
            if (text == null)
            {
                throw new HostException("unavailable", "the event has ended that the call was made in");
            }
            var answer = (Dictionary<string, object>)Json.Read<object>(text);
            if (answer.TryGetValue("err", out var error))
            {
                var fields = (Dictionary<string, object>)error;
                throw new HostException((string)fields["code"], (string)fields["message"]);
            }
            return (Dictionary<string, object>)answer["ok"];
        }

        internal static string Text(string text, string name)
        {
            if (string.IsNullOrEmpty(text))
            {
                throw new ArgumentException(name + " must be a text that is not empty", name);
            }
            return text;
        }
    }

    /// <summary>Console.Out and Console.Error: each line is one of the log's.</summary>
    internal sealed class LogWriter : TextWriter
    {
        private readonly int level;
        private readonly StringBuilder line = new StringBuilder();

        internal LogWriter(int level)
        {
            this.level = level;
        }

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            lock (line)
            {
                Add(value);
            }
        }

        public override void Write(string value)
        {
            lock (line)
            {
                foreach (var character in value ?? "")
                {
                    Add(character);
                }
            }
        }

        public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

        /// <summary>Sends what has not ended, once its event has.</summary>
        internal void End()
        {
            lock (line)
            {
                if (line.Length > 0)
                {
                    Send();
                }
            }
        }

        private void Add(char character)
        {
            if (character == '\n')
            {
                Send();
            }
            else if (line.Length < Host.LineChars)
            {
                line.Append(character);
            }
        }

        private void Send()
        {
            var text = line.ToString();
            line.Clear();
            Host.Say(level, text);
        }
    }
}
