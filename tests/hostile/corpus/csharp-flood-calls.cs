// attack: Makes host calls without end, in C#.
// limit: none
// ends: host_call_limit
using R3E;
public static class Attack
{
    public static object Handle()
    {
        while (true)
        {
            Store.Get("a");
        }
    }
}
