// attack: Prints one line without end, in C#.
// limit: cpu
// ends: cpu_limit
using System;
public static class Attack
{
    public static object Handle()
    {
        while (true)
        {
            Console.Write("log");
        }
    }
}
