// attack: Throws where nobody catches it.
// limit: none
// ends: function_error/thrown
// ends: crashed
using System;
using System.Threading;
public static class Attack
{
    public static object Handle()
    {
        var thrower = new Thread(() => throw new Exception("late"));
        thrower.Start();
        thrower.Join();
        Thread.Sleep(1000);
        return 1;
    }
}
