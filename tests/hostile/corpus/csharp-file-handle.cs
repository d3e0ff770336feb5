// attack: Writes to the socket of its process by a descriptor.
// limit: none
// ends: function_error/thrown
// ends: protocol
// ends: crashed
using System;
using System.IO;
public static class Attack
{
    public static object Handle()
    {
        using (var stream = new FileStream(new Microsoft.Win32.SafeHandles.SafeFileHandle((IntPtr)0, false), FileAccess.ReadWrite))
        {
            stream.Write(new byte[] { 0, 0, 0, 2, 1, 1 }, 0, 6);
            stream.Flush();
        }
        return 1;
    }
}
