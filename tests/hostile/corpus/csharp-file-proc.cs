// attack: Reads what the kernel tells of it, in C#.
// limit: none
// ends: function_error/thrown
using System.IO;
public static class Attack
{
    public static object Handle()
    {
        return File.ReadAllText("/proc/self/maps");
    }
}
