// attack: Takes memory that the collector does not count.
// limit: none
// ends: memory_limit
// ends: crashed
// ends: function_error/thrown
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
public static class Attack
{
    public static object Handle()
    {
        var kept = new List<IntPtr>();
        while (true)
        {
            var block = Marshal.AllocHGlobal(1 << 20);
            for (var i = 0; i < 1 << 20; i += 4096)
            {
                Marshal.WriteByte(block, i, 1);
            }
            kept.Add(block);
        }
    }
}
