// attack: Answers in the place of the loop, twice.
// limit: none
// ends: output 1
// ends: output 3
using System;
using System.Reflection;
public static class Attack
{
    public static object Handle()
    {
        var ask = typeof(R3E.Json).Assembly.GetType("R3E.Host").GetMethod("Ask", BindingFlags.NonPublic | BindingFlags.Static);
        ask.Invoke(null, new object[] { 6, "1" });
        ask.Invoke(null, new object[] { 6, "2" });
        return 3;
    }
}
