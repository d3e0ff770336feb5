// attack: Makes a call of no kind past the API.
// limit: none
// ends: output [null,null]
using System;
using System.Reflection;
public static class Attack
{
    public static object Handle()
    {
        var ask = typeof(R3E.Json).Assembly.GetType("R3E.Host").GetMethod("Ask", BindingFlags.NonPublic | BindingFlags.Static);
        return new[] { ask.Invoke(null, new object[] { 99, "" }), ask.Invoke(null, new object[] { int.MinValue, null }) };
    }
}
