// attack: Aborts the thread that would answer.
// limit: none
// ends: function_error/thrown
using System.Threading;
public static class Attack
{
    public static object Handle()
    {
        Thread.CurrentThread.Abort();
        return 1;
    }
}
