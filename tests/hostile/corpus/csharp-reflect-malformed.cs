// attack: Makes a host call of no form, past the API.
// limit: none
// ends: output true
using System;
using System.Reflection;
public static class Attack
{
    public static object Handle()
    {
        var ask = typeof(R3E.Json).Assembly.GetType("R3E.Host").GetMethod("Ask", BindingFlags.NonPublic | BindingFlags.Static);
        var answer = (string)ask.Invoke(null, new object[] { 5, "{\"op\":\"exec\"}" });
        return answer.Contains("invalid");
    }
}
