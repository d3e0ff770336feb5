// attack: Counts its events, in C#.
// limit: none
// ends: output 1
// again: same
public static class Attack
{
    private static int count;
    public static object Handle()
    {
        return ++count;
    }
}
