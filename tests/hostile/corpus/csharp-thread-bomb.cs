// attack: Starts threads without end, in C#.
// limit: none
// ends: memory_limit
// ends: crashed
// ends: timeout
// ends: cpu_limit
// ends: function_error/thrown
using System.Threading;
public static class Attack
{
    public static object Handle()
    {
        while (true)
        {
            new Thread(() => Thread.Sleep(Timeout.Infinite)).Start();
        }
    }
}
