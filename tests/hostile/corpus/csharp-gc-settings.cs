// attack: Tells its collector to keep more than it may.
// limit: none
// ends: memory_limit
using System;
using System.Collections.Generic;
public static class Attack
{
    public static object Handle()
    {
        AppDomain.CurrentDomain.SetData("GCHeapHardLimit", long.MaxValue);
        Environment.SetEnvironmentVariable("MONO_GC_PARAMS", "max-heap-size=64g");
        var kept = new List<byte[]>();
        while (true)
        {
            kept.Add(new byte[1 << 20]);
        }
    }
}
