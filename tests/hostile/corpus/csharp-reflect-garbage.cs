// attack: Answers with what is no JSON, past the API.
// limit: none
// ends: function_error/result_not_json
using System;
using System.Reflection;
public static class Attack
{
    public static object Handle()
    {
        var ask = typeof(R3E.Json).Assembly.GetType("R3E.Host").GetMethod("Ask", BindingFlags.NonPublic | BindingFlags.Static);
        ask.Invoke(null, new object[] { 6, "}{" });
        return 3;
    }
}
