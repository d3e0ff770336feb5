// attack: Runs a shell by the C library.
// limit: none
// ends: function_error/thrown
using System.Runtime.InteropServices;
public static class Attack
{
    [DllImport("libc", SetLastError = true)]
    private static extern int execve(string path, string[] arguments, string[] environment);
    public static object Handle()
    {
        return execve("/bin/sh", new[] { "sh" }, null);
    }
}
