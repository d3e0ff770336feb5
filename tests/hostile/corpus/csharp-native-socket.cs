// attack: Calls socket(2) of the C library.
// limit: none
// ends: function_error/thrown
using System.Runtime.InteropServices;
public static class Attack
{
    [DllImport("libc", SetLastError = true)]
    private static extern int socket(int domain, int type, int protocol);
    public static object Handle()
    {
        return socket(2, 1, 0);
    }
}
