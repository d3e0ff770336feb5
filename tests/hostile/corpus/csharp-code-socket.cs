// attack: Writes machine code that opens a socket, and runs it.
// limit: none
// ends: output -13
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
        // mov eax, 41 (socket); edi = AF_INET; esi = SOCK_STREAM; edx = 0; syscall; ret
        var code = new byte[] { 0xb8, 0x29, 0x00, 0x00, 0x00, 0xbf, 0x02, 0x00, 0x00, 0x00, 0xbe, 0x01, 0x00, 0x00, 0x00, 0xba, 0x00, 0x00, 0x00, 0x00, 0x0f, 0x05, 0xc3 };
        // Where the runtime has code of its own already; not at its beginning, which it knows again.
        var at = Marshal.GetFunctionPointerForDelegate(new Call(Nothing)) + 16;
        Marshal.Copy(code, 0, at, code.Length);
        return ((Call)Marshal.GetDelegateForFunctionPointer(at, typeof(Call)))();
    }
}
