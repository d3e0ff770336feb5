// attack: Calls fork(2) of the C library.
// limit: none
// ends: function_error/thrown
using System.Runtime.InteropServices;
public static class Attack
{
    [DllImport("libc.so.6", SetLastError = true)]
    private static extern int fork();
    public static object Handle()
    {
        return fork();
    }
}
