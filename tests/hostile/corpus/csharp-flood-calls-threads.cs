// attack: Makes host calls without end, on many threads.
// limit: none
// ends: host_call_limit
using System.Threading;
using R3E;
public static class Attack
{
    public static object Handle()
    {
        for (var i = 0; i < 30; i++)
        {
            new Thread(() => { while (true) { Store.Get("a"); } }).Start();
        }
        Thread.Sleep(Timeout.Infinite);
        return 1;
    }
}
