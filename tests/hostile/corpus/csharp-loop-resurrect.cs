// attack: Makes garbage that makes itself anew when it is collected.
// limit: cpu
// ends: cpu_limit
// ends: output 1
using System;
public static class Attack
{
    private sealed class Phoenix
    {
        ~Phoenix()
        {
            new Phoenix();
            new Phoenix();
            GC.ReRegisterForFinalize(this);
        }
    }
    public static object Handle()
    {
        new Phoenix();
        while (true)
        {
            GC.Collect();
        }
    }
}
