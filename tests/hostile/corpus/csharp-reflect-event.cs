// attack: Takes the next event from the loop.
// limit: wall
// ends: timeout
using System;
using System.Reflection;
public static class Attack
{
    public static object Handle()
    {
        var ask = typeof(R3E.Json).Assembly.GetType("R3E.Host").GetMethod("Ask", BindingFlags.NonPublic | BindingFlags.Static);
        return ask.Invoke(null, new object[] { 4, null });
    }
}
