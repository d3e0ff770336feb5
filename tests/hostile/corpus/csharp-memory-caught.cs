// attack: Catches that there is no more memory, and asks for more, in C#.
// limit: none
// ends: memory_limit
// ends: output 1
// ends: crashed
using System;
using System.Collections.Generic;
public static class Attack
{
    public static object Handle()
    {
        var kept = new List<byte[]>();
        for (var i = 0; i < 2000; i++)
        {
            try
            {
                kept.Add(new byte[1 << 20]);
            }
            catch (OutOfMemoryException)
            {
            }
        }
        return 1;
    }
}
