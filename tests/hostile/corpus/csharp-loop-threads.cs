// attack: Never returns, on every thread that it can have.
// limit: cpu
// ends: cpu_limit
using System.Threading;
public static class Attack
{
    public static object Handle()
    {
        for (var i = 0; i < 8; i++)
        {
            new Thread(() => { while (true) { } }).Start();
        }
        while (true)
        {
        }
    }
}
