// attack: Ends its process without a word, in C#.
// limit: none
// ends: crashed
using System;
public static class Attack
{
    public static object Handle()
    {
        Environment.FailFast("no");
        return 1;
    }
}
