// attack: Reads files of the machine, in C#.
// limit: none
// ends: function_error/thrown
using System.IO;
public static class Attack
{
    public static object Handle()
    {
        return File.ReadAllText("/etc/passwd");
    }
}
