// attack: Never returns from the initializer of its class.
// limit: cpu
// ends: cpu_limit
public static class Attack
{
    private static readonly int Never = Loop();

    private static int Loop()
    {
        while (true)
        {
        }
    }
    public static object Handle()
    {
        return Never;
    }
}
