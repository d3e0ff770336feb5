// attack: Gives the one library pointers of its own.
// limit: none
// ends: crashed
// ends: output -1
// ends: function_error/thrown
using System;
using System.Runtime.InteropServices;
public static class Attack
{
    [DllImport("System.Native")]
    private static extern int SystemNative_Stat2(IntPtr path, IntPtr to);
    public static object Handle()
    {
        return SystemNative_Stat2((IntPtr)1, (IntPtr)1);
    }
}
