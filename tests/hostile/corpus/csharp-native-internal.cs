// attack: Calls a function of the program that it runs in, by its name.
// limit: none
// ends: function_error/thrown
using System.Runtime.InteropServices;
public static class Attack
{
    [DllImport("__Internal", SetLastError = true)]
    private static extern int getpid();
    public static object Handle()
    {
        return getpid();
    }
}
