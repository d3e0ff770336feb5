// attack: Gives more than its limit, in C#.
// limit: none
// ends: output_limit
public static class Attack
{
    public static object Handle()
    {
        return new string('a', 200_000);
    }
}
