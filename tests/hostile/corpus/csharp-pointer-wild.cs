// attack: Writes over whatever lies beside an object of its own.
// limit: none
// ends: crashed
// ends: output
// ends: timeout
// ends: cpu_limit
// ends: memory_limit
// ends: function_error/thrown
// ends: function_error/memory
using System;
public static class Attack
{
    public static unsafe object Handle()
    {
        var small = new long[1];
        fixed (long* start = small)
        {
            for (var i = 0; i < 1 << 22; i++)
            {
                start[i] = 0x4141414141414141;
            }
        }
        GC.Collect();
        return 1;
    }
}
