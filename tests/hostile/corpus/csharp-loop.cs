// attack: Never returns, in C#.
// limit: cpu
// ends: cpu_limit
public static class Attack
{
    public static object Handle()
    {
        while (true)
        {
        }
    }
}
