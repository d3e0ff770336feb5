// attack: Makes garbage whose finalizers never end.
// limit: wall
// ends: timeout
// ends: cpu_limit
// ends: memory_limit
using System;
public static class Attack
{
    private sealed class Undying
    {
        ~Undying()
        {
            while (true)
            {
            }
        }
    }
    public static object Handle()
    {
        for (var i = 0; i < 1000; i++)
        {
            new Undying();
        }
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return 1;
    }
}
