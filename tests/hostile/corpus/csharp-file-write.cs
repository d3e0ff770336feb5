// attack: Writes a file, in C#.
// limit: none
// ends: function_error/thrown
using System.IO;
public static class Attack
{
    public static object Handle()
    {
        File.WriteAllText("/tmp/left", "a");
        return 1;
    }
}
