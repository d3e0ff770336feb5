// attack: Throws what has no text, in C#.
// limit: none
// ends: function_error/thrown
using System;
public static class Attack
{
    private sealed class Wordless : Exception
    {
        public override string Message => throw new Exception();

        public override string StackTrace => throw new Exception();
    }
    public static object Handle()
    {
        throw new Wordless();
    }
}
