// attack: Starts a process, in C#.
// limit: none
// ends: function_error/thrown
// ends: crashed
using System.Diagnostics;
public static class Attack
{
    public static object Handle()
    {
        var started = Process.Start("/bin/sh", "-c id");
        started.WaitForExit();
        return started.ExitCode;
    }
}
