// attack: Does it in another domain of its runtime.
// limit: none
// ends: function_error/thrown
// ends: crashed
// ends: output
using System;
public static class Attack
{
    public static object Handle()
    {
        var domain = AppDomain.CreateDomain("other");
        return domain.FriendlyName;
    }
}
