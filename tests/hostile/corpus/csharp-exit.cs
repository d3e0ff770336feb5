// attack: Ends its process, in C#.
// limit: none
// ends: crashed
// ends: function_error/thrown
using System;
public static class Attack
{
    public static object Handle()
    {
        Environment.Exit(0);
        return 1;
    }
}
