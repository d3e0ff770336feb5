// attack: Calls itself without end, in C#.
// limit: none
// ends: crashed
// ends: memory_limit
// ends: function_error/thrown
public static class Attack
{
    private static int Deeper(int depth)
    {
        return Deeper(depth + 1) + 1;
    }
    public static object Handle()
    {
        return Deeper(0);
    }
}
