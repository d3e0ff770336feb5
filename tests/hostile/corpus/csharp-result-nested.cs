// attack: Gives a value that holds itself, in C#.
// limit: none
// ends: function_error/result_not_json
using System.Collections.Generic;
public static class Attack
{
    public static object Handle()
    {
        var list = new List<object>();
        list.Add(list);
        return list;
    }
}
