// Compiles one function, in a process that does nothing else: by mcs, which reads and writes the files of that process's own box.

using System;
using System.Collections.Generic;
using System.IO;
using System.Reflection;
using System.Text;

namespace R3E
{
    internal static class Workshop
    {
        private const string Output = "/function.dll";

        /// <summary>Null where the sources make an assembly with a handler; the compiler's words where they do not.</summary>
        internal static string Compile(string options)
        {
            Console.SetIn(TextReader.Null);
            var said = new StringBuilder();
            var words = new StringWriter(said);
            Console.SetOut(words);
            Console.SetError(words);
            var compiler = Assembly.Load("mcs").GetType("Mono.CSharp.CompilerCallableEntryPoint", true);
            var invoke = compiler.GetMethod("InvokeCompiler", BindingFlags.Public | BindingFlags.Static);
            var arguments = new List<string>(options.Split('\n')) { "-out:" + Output };
            var done = (bool)invoke.Invoke(null, new object[] { arguments.ToArray(), words });
            if (!done)
            {
                return said.Length == 0 ? "the compiler gave no reason" : said.ToString();
            }
            try
            {
                Handler.Of(Assembly.Load(File.ReadAllBytes(Output)));
                return null;
            }
            catch (NoHandlerException error)
            {
                return error.Message;
            }
        }
    }
}
