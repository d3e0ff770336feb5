// attack: Starts tasks that start tasks.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: timeout
using System;
using System.Threading;
using System.Threading.Tasks;
public static class Attack
{
    private static void More()
    {
        Task.Run((Action)More);
        Task.Run((Action)More);
    }
    public static object Handle()
    {
        More();
        Thread.Sleep(Timeout.Infinite);
        return 1;
    }
}
