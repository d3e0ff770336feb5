// attack: Keeps arrays until there is no memory, in C#.
// limit: none
// ends: memory_limit
using System.Collections.Generic;
public static class Attack
{
    public static object Handle()
    {
        var kept = new List<byte[]>();
        while (true)
        {
            kept.Add(new byte[1 << 20]);
        }
    }
}
