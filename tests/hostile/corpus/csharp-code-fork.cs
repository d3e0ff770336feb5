// attack: Writes machine code that splits the process, and runs it.
// limit: none
// ends: crashed/31
using System;
using System.Runtime.InteropServices;
public static class Attack
{
    private delegate long Call();

    private static long Nothing()
    {
        return 0;
    }

    public static object Handle()
    {
        // mov eax, 57 (fork); syscall; ret
        var code = new byte[] { 0xb8, 0x39, 0x00, 0x00, 0x00, 0x0f, 0x05, 0xc3 };
        // Where the runtime has code of its own already; not at its beginning, which it knows again.
        var at = Marshal.GetFunctionPointerForDelegate(new Call(Nothing)) + 16;
        Marshal.Copy(code, 0, at, code.Length);
        return ((Call)Marshal.GetDelegateForFunctionPointer(at, typeof(Call)))();
    }
}
