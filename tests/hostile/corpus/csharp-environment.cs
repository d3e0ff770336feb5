// attack: Reads its environment and its arguments.
// limit: none
// ends: output []
using System;
using System.Linq;
public static class Attack
{
    public static object Handle()
    {
        var wanted = new[] { "HOME", "PATH", "AWS_SECRET_ACCESS_KEY", "LD_PRELOAD" };
        return wanted.Where(name => Environment.GetEnvironmentVariable(name) != null).ToArray();
    }
}
