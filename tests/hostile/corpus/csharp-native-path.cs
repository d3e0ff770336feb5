// attack: Loads a library by its path.
// limit: none
// ends: function_error/thrown
using System.Runtime.InteropServices;
public static class Attack
{
    [DllImport("/lib/x86_64-linux-gnu/libc.so.6", SetLastError = true)]
    private static extern int puts(string text);
    public static object Handle()
    {
        return puts("a");
    }
}
