// attack: Lists the root, in C#.
// limit: none
// ends: function_error/thrown
// ends: output []
using System.IO;
public static class Attack
{
    public static object Handle()
    {
        return Directory.GetFileSystemEntries("/");
    }
}
