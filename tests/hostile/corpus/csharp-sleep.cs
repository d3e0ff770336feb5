// attack: Sleeps for ever, in C#.
// limit: wall
// ends: timeout
using System.Threading;
public static class Attack
{
    public static object Handle()
    {
        Thread.Sleep(Timeout.Infinite);
        return 1;
    }
}
