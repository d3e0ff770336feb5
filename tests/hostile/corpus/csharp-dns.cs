// attack: Asks for an address, in C#.
// limit: none
// ends: function_error/thrown
// ends: crashed
public static class Attack
{
    public static object Handle()
    {
        return System.Net.Dns.GetHostEntry("example.com").AddressList.Length;
    }
}
