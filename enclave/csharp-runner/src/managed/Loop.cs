// The loop of a process that handles a function's events: it waits for one, calls the handler, and says what came of it.

using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Threading;
using System.Threading.Tasks;

namespace R3E
{
    internal static class Loop
    {
        /// <summary>What a fault's texts are cut to where they are told.</summary>
        private const int FaultChars = 3000;

        private static readonly LogWriter Out = new LogWriter(Host.LogInfo), Error = new LogWriter(Host.LogError);

        /// <summary>Called once, by the process; returns when there are no more events.</summary>
        internal static void Run(byte[] assembly, byte[] symbols)
        {
            Console.SetOut(Out);
            Console.SetError(Error);
            Console.SetIn(TextReader.Null);
            // What a thread of the function's throws would end the process without a word.
            AppDomain.CurrentDomain.UnhandledException += (_, unhandled) =>
            {
                Host.Break(Told("thrown", unhandled.ExceptionObject as Exception));
                // The runtime would end the process before that is heard.
                Thread.Sleep(Timeout.Infinite);
            };
            // As the process that runs the function has it: an event is not told that its handler could not be found before there is one.
            var handler = new Lazy<Handler>(() => Handler.Of(
                symbols.Length == 0 ? Assembly.Load(assembly) : Assembly.Load(assembly, symbols)));
            for (var text = Host.Next(); text != null; text = Host.Next())
            {
                try
                {
                    Handle(handler, text);
                }
                catch (ThreadAbortException error)
                {
                    Thread.ResetAbort();
                    Tell("thrown", error);
                }
                catch (Exception error)
                {
                    Tell("thrown", error);
                }
            }
        }

        private static void Handle(Lazy<Handler> lazy, string text)
        {
            Handler handler;
            try
            {
                handler = lazy.Value;
            }
            catch (NoHandlerException error)
            {
                Tell("no_handler", error);
                return;
            }
            object argument;
            try
            {
                argument = handler.Argument(text);
            }
            catch (JsonException error)
            {
                Tell("event", error);
                return;
            }
            var result = handler.Invoke(argument);
            string written;
            try
            {
                written = Json.Write(result);
            }
            catch (JsonException error)
            {
                Tell("result_not_json", error);
                return;
            }
            End();
            Host.Succeed(written);
        }

        private static void End()
        {
            Out.End();
            Error.End();
        }

        private static void Tell(string kind, Exception error)
        {
            var told = Told(kind, error);
            End();
            Host.Fail(told);
        }

        private static string Told(string kind, Exception error)
        {
            while (error is TargetInvocationException && error.InnerException != null)
            {
                error = error.InnerException;
            }
            if (error is AggregateException several && several.InnerExceptions.Count == 1)
            {
                error = several.InnerException;
            }
            if (error is OutOfMemoryException)
            {
                kind = "memory";
            }
            return Json.Write(new Dictionary<string, object>
            {
                ["kind"] = kind,
                ["name"] = Cut(error?.GetType().Name ?? "Exception"),
                ["message"] = Cut(Of(() => Message(error))),
                ["stack"] = Cut(Of(() => Trace(error))),
            });
        }

        /// <summary>The frames of the function's author: those of this loop say nothing to him.</summary>
        private static string Trace(Exception error)
        {
            var kept = new List<string>();
            foreach (var line in (error?.StackTrace ?? "").Split('\n'))
            {
                if (!line.Contains(" R3E.Loop") && !line.Contains(" R3E.Handler.") && !line.Contains(" System.Reflection.")
                    && !line.Contains("(wrapper "))
                {
                    kept.Add(line.TrimEnd());
                }
            }
            return string.Join("\n", kept);
        }

        /// <summary>What happened, and what it was because of.</summary>
        private static string Message(Exception error)
        {
            var inner = error?.InnerException;
            return inner == null ? error?.Message : error.Message + " Because: " + inner.GetType().Name + ": " + inner.Message;
        }

        /// <summary>A text of an exception is the author's code too.</summary>
        private static string Of(Func<string> text)
        {
            try
            {
                return text() ?? "";
            }
            catch (Exception)
            {
                return "an exception that has no text";
            }
        }

        private static string Cut(string text)
        {
            return text.Length > FaultChars ? text.Substring(0, FaultChars) : text;
        }
    }

    internal sealed class NoHandlerException : Exception
    {
        internal NoHandlerException(string message) : base(message)
        {
        }
    }

    /// <summary>The one public static method named Handle.</summary>
    internal sealed class Handler
    {
        private readonly MethodInfo method;
        private readonly Type parameter;

        private Handler(MethodInfo method, Type parameter)
        {
            this.method = method;
            this.parameter = parameter;
        }

        internal static Handler Of(Assembly assembly)
        {
            MethodInfo found = null;
            foreach (var type in assembly.GetTypes())
            {
                foreach (var method in type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly))
                {
                    if (method.Name != "Handle" || method.IsGenericMethodDefinition || type.IsGenericTypeDefinition || !type.IsVisible)
                    {
                        continue;
                    }
                    if (found != null)
                    {
                        throw new NoHandlerException("two public static methods are named `Handle`: there must be one");
                    }
                    found = method;
                }
            }
            if (found == null)
            {
                throw new NoHandlerException("no public class has a public static method named `Handle`");
            }
            var parameters = found.GetParameters();
            if (parameters.Length > 1 || (parameters.Length == 1 && parameters[0].ParameterType.IsByRef))
            {
                throw new NoHandlerException("`Handle` takes the event, or nothing");
            }
            return new Handler(found, parameters.Length == 0 ? null : parameters[0].ParameterType);
        }

        internal object Argument(string text)
        {
            return parameter == null ? null : Json.Read(text, parameter);
        }

        internal object Invoke(object argument)
        {
            var result = method.Invoke(null, parameter == null ? null : new[] { argument });
            if (!(result is Task task))
            {
                return result;
            }
            task.GetAwaiter().GetResult();
            for (var type = task.GetType(); type != null; type = type.BaseType)
            {
                if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Task<>))
                {
                    var value = type.GetProperty("Result").GetValue(task, null);
                    // What a task without a result has inside.
                    return value != null && value.GetType().Name == "VoidTaskResult" ? null : value;
                }
            }
            return null;
        }
    }
}
