// attack: Opens its own memory by the C library.
// limit: none
// ends: function_error/thrown
using System.Runtime.InteropServices;
public static class Attack
{
    [DllImport("libc", SetLastError = true)]
    private static extern int open(string path, int flags);
    public static object Handle()
    {
        return open("/proc/self/mem", 2);
    }
}
