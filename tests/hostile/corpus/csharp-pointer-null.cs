// attack: Writes to address zero.
// limit: none
// ends: crashed
// ends: function_error/thrown
public static class Attack
{
    public static unsafe object Handle()
    {
        *(int*)0 = 1;
        return 1;
    }
}
