// attack: Looks for functions in the one library that there is.
// limit: none
// ends: function_error/thrown
using System.Runtime.InteropServices;
public static class Attack
{
    [DllImport("System.Native", SetLastError = true)]
    private static extern int SystemNative_ForkAndExecProcess();
    public static object Handle()
    {
        return SystemNative_ForkAndExecProcess();
    }
}
